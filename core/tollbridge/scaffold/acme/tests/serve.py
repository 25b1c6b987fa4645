"""Acme's simulator for trying things by hand: ``python tests/serve.py``, then point bridge.toml at it."""

from tollbridge.sandbox import serve

from billing import KEY, Billing

HOST, PORT = "127.0.0.1", 8498

if __name__ == "__main__":
    billing = Billing()
    billing.currencies["USD"] = {"code": "USD", "symbol": "$", "decimals": 2}
    billing.taxes.append({"country": "GB", "name": "VAT", "percent": "20"})
    billing.clients[1042] = {
        "id": 1042,
        "email": "client1042@example.com",
        "currency": "USD",
        "first_name": "Ada",
        "last_name": "Example",
        "company": "",
        "status": "active",
        "country": "GB",
        "state": "",
        "tax_exempt": False,
    }
    print(f"Acme is at http://{HOST}:{PORT}/ with the key {KEY}; faults can be ordered at /sandbox/faults.")
    serve(billing.app(), host=HOST, port=PORT)

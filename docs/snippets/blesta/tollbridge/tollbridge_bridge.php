<?php
/** Asks the bridge about a client. */
class TollbridgeBridge
{
    public const URL = 'https://bridge.example.com'; // server.public_url of bridge.toml
    private const TOKEN = 'bridge-token';            // server.token of bridge.toml

    public static function ask(string $action, int $client, array $more = []): array
    {
        $curl = curl_init(self::URL . '/solusio/api/');
        curl_setopt_array($curl, [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 5,
            CURLOPT_POSTFIELDS => http_build_query(
                ['action' => $action, 'userid' => $client, 'token' => self::TOKEN] + $more
            ),
        ]);
        $answer = json_decode((string) curl_exec($curl), true);
        return is_array($answer) ? $answer : [];
    }
}

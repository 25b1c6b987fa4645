<?php
/**
 * Blesta: a page that leads a logged-in client to the customer's account.
 * Part of Tollbridge; see docs/pages.md. Not tried on a live Blesta.
 */

require __DIR__ . '/lib/init.php';

$session = new Session();
$clientId = (int) $session->read('blesta_client_id');
if ($clientId === 0) {
    header('Location: /client/login/', true, 303);
    exit;
}
$curl = curl_init('https://bridge.example.com/solusio/api/');
curl_setopt_array($curl, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 10,
    CURLOPT_POSTFIELDS => http_build_query([
        'action' => 'CreateSsoToken',
        'userid' => $clientId,
        'token' => getenv('BRIDGE_TOKEN'),
    ]),
]);
$answer = json_decode((string) curl_exec($curl), true);
header('Location: ' . ($answer['redirect_url'] ?? '/client/'), true, 303);

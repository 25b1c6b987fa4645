<?php
/**
 * WHMCS: a panel on the client area's home page, and the ways from it into SolusIO and to the customer's account.
 *
 * Save it as includes/hooks/tollbridge.php. Part of Tollbridge, see docs/pages.md; not tried on a live WHMCS.
 */

use WHMCS\View\Menu\Item;

const TOLLBRIDGE = 'https://bridge.example.com'; // server.public_url of bridge.toml
const TOLLBRIDGE_TOKEN = 'bridge-token';         // server.token of bridge.toml

function tollbridge_ask(string $action, int $client, array $more = []): array
{
    $curl = curl_init(TOLLBRIDGE . '/solusio/api/');
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 5,
        CURLOPT_POSTFIELDS => http_build_query(
            ['action' => $action, 'userid' => $client, 'token' => TOLLBRIDGE_TOKEN] + $more
        ),
    ]);
    $answer = json_decode((string) curl_exec($curl), true);
    return is_array($answer) ? $answer : [];
}

add_hook('ClientAreaHomepagePanels', 1, function (Item $panels) {
    $client = (int) ($_SESSION['uid'] ?? 0);
    if ($client === 0) {
        return;
    }
    $enrolled = tollbridge_ask('GetEnrolment', $client)['enrolled'] ?? null; // null: not known just now
    $panels->addChild('tollbridge', [
        'label' => 'Cloud servers',
        'icon' => 'fa-server',
        'order' => 20,
        'extras' => [
            'btn-link' => 'clientarea.php?tollbridge=' . ($enrolled ? 'solusio' : 'account'),
            'btn-text' => $enrolled ? 'Log in to SolusIO' : ($enrolled === false ? 'Start' : 'Open'),
            'btn-icon' => 'fa-sign-in',
        ],
    ])->setBodyHtml(
        $enrolled
            ? '<p><a href="clientarea.php?tollbridge=account">Usage and invoices</a></p>'
            : '<p>Servers by the hour. <a href="' . TOLLBRIDGE . '/cloud">Plans and prices</a></p>'
    );
});

add_hook('ClientAreaPage', 1, function (array $page) {
    $client = (int) ($_SESSION['uid'] ?? 0);
    $destination = $_GET['tollbridge'] ?? '';
    if ($client === 0 || !in_array($destination, ['account', 'solusio'], true)) {
        return;
    }
    $answer = tollbridge_ask('CreateSsoToken', $client, ['destination' => $destination]);
    if (isset($answer['redirect_url'])) {
        header('Location: ' . $answer['redirect_url'], true, 303);
        exit;
    }
    $said = $answer['message'] ?? null;
    logActivity('Tollbridge: ' . (is_string($said) ? $said : 'the bridge does not answer'));
});

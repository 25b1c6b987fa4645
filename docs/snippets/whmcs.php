<?php
/**
 * WHMCS: a panel on the client area's home page that leads to the customer's account.
 * Part of Tollbridge; see docs/pages.md. Not tried on a live WHMCS.
 */

use WHMCS\View\Menu\Item;

const TOLLBRIDGE_URL = 'https://bridge.example.com/solusio/api/';

add_hook('ClientAreaHomepagePanels', 1, function (Item $panels) {
    $panels->addChild('tollbridge', [
        'label' => 'Cloud servers',
        'icon' => 'fa-server',
        'order' => 20,
        'extras' => ['btn-link' => 'index.php?tollbridge=1', 'btn-text' => 'Open', 'btn-icon' => 'fa-sign-in'],
    ])->setBodyHtml('<p>Your servers, their usage and what they cost.</p>');
});

add_hook('ClientAreaPageHome', 1, function (array $page) {
    if (empty($_GET['tollbridge']) || empty($page['clientsdetails']['id'])) {
        return;
    }
    $curl = curl_init(TOLLBRIDGE_URL);
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
        CURLOPT_POSTFIELDS => http_build_query([
            'action' => 'CreateSsoToken',
            'userid' => $page['clientsdetails']['id'],
            'token' => getenv('BRIDGE_TOKEN'),
        ]),
    ]);
    $answer = json_decode((string) curl_exec($curl), true);
    if (isset($answer['redirect_url'])) {
        header('Location: ' . $answer['redirect_url'], true, 303);
        exit;
    }
});

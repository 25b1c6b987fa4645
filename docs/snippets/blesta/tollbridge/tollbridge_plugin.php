<?php
/**
 * Blesta (4.11 and newer): a card on the client's dashboard that leads into SolusIO and to the customer's account.
 *
 * Copy this folder to plugins/tollbridge and install the plugin. Part of Tollbridge, see docs/pages.md; not tried on a
 * live Blesta.
 */
require_once __DIR__ . '/tollbridge_bridge.php';

class TollbridgePlugin extends Plugin
{
    public function __construct()
    {
        Language::loadLang('tollbridge_plugin', null, __DIR__ . '/language/');
        $this->loadConfig(__DIR__ . '/config.json');
    }

    public function getCards()
    {
        return [[
            'level' => 'client',
            'callback' => ['this', 'card'],
            'callback_type' => 'html',
            'label' => 'TollbridgePlugin.card',
            'link' => 'plugin/tollbridge/client_main/',
            'enabled' => 1,
        ]];
    }

    public function card($client_id)
    {
        $enrolled = TollbridgeBridge::ask('GetEnrolment', (int) $client_id)['enrolled'] ?? null;
        if ($enrolled === false) {
            return $this->link('account', 'start');
        }
        $account = $this->link('account', 'account');
        return $enrolled ? $this->link('solusio', 'solusio') . '<br>' . $account : $account; // null: not known just now
    }

    private function link(string $destination, string $text): string
    {
        $address = WEBDIR . 'plugin/tollbridge/client_main/index/' . $destination . '/';
        return '<a href="' . $address . '">' . Language::_('TollbridgePlugin.' . $text, true) . '</a>';
    }
}

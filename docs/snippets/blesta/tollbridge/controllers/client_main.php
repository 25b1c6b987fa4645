<?php
/** Sends the logged-in client on, by a link that the bridge has just made for it. */
require_once dirname(__DIR__) . '/tollbridge_bridge.php';

class ClientMain extends TollbridgeController
{
    public function preAction()
    {
        parent::preAction();
        $this->requireLogin();
    }

    public function index()
    {
        $destination = ($this->get[0] ?? '') === 'solusio' ? 'solusio' : 'account';
        $client = (int) $this->Session->read('blesta_client_id');
        $answer = TollbridgeBridge::ask('CreateSsoToken', $client, ['destination' => $destination]);
        $this->redirect($answer['redirect_url'] ?? $this->base_uri);
    }
}

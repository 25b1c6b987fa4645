<?php
$lang['TollbridgePlugin.name'] = 'Tollbridge';
$lang['TollbridgePlugin.description'] = 'Cloud servers by the hour: a card for clients, and the ways into SolusIO.';
$lang['TollbridgePlugin.card'] = 'Cloud servers';
$lang['TollbridgePlugin.solusio'] = 'Log in to SolusIO';
$lang['TollbridgePlugin.account'] = 'Usage and invoices';
$lang['TollbridgePlugin.start'] = 'Start with cloud servers';

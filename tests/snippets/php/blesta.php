<?php
// As much of a Blesta as a plugin sees: its base classes, who is logged in, cards, and addresses below /plugin/.

const WEBDIR = '/';

class Session
{
    public function read(string $name)
    {
        return $name === 'blesta_client_id' ? ($_COOKIE['client'] ?? '') : '';
    }
}

class Language
{
    private static array $words = [];

    public static function loadLang(string $file, ?string $language, string $folder): void
    {
        $lang = [];
        require $folder . 'en_us/' . $file . '.php';
        self::$words += $lang;
    }

    public static function _(string $key, bool $return = false): string
    {
        return self::$words[$key];
    }
}

class Plugin
{
    public array $config;

    protected function loadConfig(string $file): void
    {
        $this->config = json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR);
    }
}

class AppModel
{
}

class AppController
{
    public array $get = [];
    public string $base_uri = '/client/';
    public Session $Session;

    public function preAction()
    {
        $this->Session = new Session();
    }

    protected function requireLogin(): void
    {
        if (!$this->Session->read('blesta_client_id')) {
            $this->redirect('/client/login/');
        }
    }

    protected function redirect(string $to): void
    {
        header('Location: ' . $to, true, 302);
        exit;
    }
}

$folder = getenv('SNIPPETS') . '/blesta/tollbridge/';
require $folder . 'tollbridge_model.php';
require $folder . 'tollbridge_controller.php';
require $folder . 'tollbridge_plugin.php';
$path = explode('/', trim(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/'));
if ($path[0] === 'plugin') {
    require $folder . 'controllers/' . $path[2] . '.php';
    $controller = new ClientMain();
    $controller->get = array_slice($path, 4);
    $controller->preAction();
    $controller->{$path[3] ?? 'index'}();
}
$plugin = new TollbridgePlugin();
$cards = [];
foreach ($plugin->getCards() as $card) {
    $of = $card['callback'][0] === 'this' ? $plugin : new $card['callback'][0]();
    $html = $of->{$card['callback'][1]}((new Session())->read('blesta_client_id'));
    $cards[] = ['label' => Language::_($card['label']), 'level' => $card['level'], 'html' => $html];
}
header('Content-Type: application/json');
echo json_encode(['cards' => $cards, 'name' => Language::_($plugin->config['name'])]);

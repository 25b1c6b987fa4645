<?php
// As much of a WHMCS as a hook file sees: who is logged in, hooks, and the home page's panels. Answers with JSON.

namespace WHMCS\View\Menu {
    class Item implements \JsonSerializable
    {
        private array $children = [];
        private string $body = '';

        public function __construct(private array $options = [])
        {
        }

        public function addChild(string $name, array $options = []): Item
        {
            return $this->children[$name] = new Item($options);
        }

        public function setBodyHtml(string $html): Item
        {
            $this->body = $html;
            return $this;
        }

        public function jsonSerialize(): array
        {
            return ['options' => $this->options, 'body' => $this->body, 'children' => $this->children];
        }
    }
}

namespace {
    $_SESSION = isset($_COOKIE['client']) ? ['uid' => $_COOKIE['client']] : [];
    $hooks = $activity = [];

    function add_hook(string $point, int $priority, callable $hook): void
    {
        $GLOBALS['hooks'][$point][] = $hook;
    }

    function logActivity(string $text): void
    {
        $GLOBALS['activity'][] = $text;
    }

    require getenv('SNIPPETS') . '/whmcs.php';

    foreach ($hooks['ClientAreaPage'] ?? [] as $hook) {
        $hook(['filename' => 'clientarea']);
    }
    $panels = new WHMCS\View\Menu\Item();
    foreach ($hooks['ClientAreaHomepagePanels'] ?? [] as $hook) {
        $hook($panels);
    }
    header('Content-Type: application/json');
    echo json_encode(['panels' => $panels, 'activity' => $activity]);
}

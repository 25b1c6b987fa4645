<?php
class TollbridgeModel extends AppModel
{
}

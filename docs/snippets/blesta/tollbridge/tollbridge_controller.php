<?php
class TollbridgeController extends AppController
{
}

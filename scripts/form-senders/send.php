<?php
// Sends the form of a recording. Arguments: client, URL, file, name of the file; then fields as name=value.

[, $client, $url, $path, $name] = $argv;
$fields = [];
foreach (array_slice($argv, 5) as $pair) {
    [$field, $value] = explode('=', $pair, 2);
    $fields[$field] = $value;
}

if ($client === 'curl_file') {
    $request = curl_init($url);
    curl_setopt($request, CURLOPT_RETURNTRANSFER, true);
    $file = new CURLFile($path, 'image/png', $name);
    curl_setopt($request, CURLOPT_POSTFIELDS, $fields + ['fileAttachment' => $file]);
    if (curl_exec($request) === false) {
        exit(curl_error($request));
    }
} else {
    require '/usr/share/php/GuzzleHttp/autoload.php';
    $parts = [];
    foreach ($fields as $field => $value) {
        $parts[] = ['name' => $field, 'contents' => $value];
    }
    $parts[] = ['name' => 'fileAttachment', 'contents' => fopen($path, 'r'), 'filename' => $name];
    (new GuzzleHttp\Client())->post($url, ['multipart' => $parts]);
}

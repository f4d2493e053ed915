// Uploads one file with net/http: upload URL FILE FIELD=VALUE…. Prints the response as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	address, path, fields := os.Args[1], os.Args[2], os.Args[3:]
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		check(form.WriteField(name, value))
	}
	part, err := form.CreateFormFile("fileAttachment", filepath.Base(path))
	check(err)
	content, err := os.ReadFile(path)
	check(err)
	_, err = part.Write(content)
	check(err)
	check(form.Close())

	client := http.Client{Timeout: time.Minute}
	response, err := client.Post(address, form.FormDataContentType(), &body)
	check(err)
	text, err := io.ReadAll(response.Body)
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"status": response.StatusCode, "text": string(text)}))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

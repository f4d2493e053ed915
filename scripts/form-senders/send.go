// Sends the form of a recording. Arguments: URL, file, name of the file; then fields as name=value.
package main

import (
	"bytes"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
)

func main() {
	url, path, name := os.Args[1], os.Args[2], os.Args[3]
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, pair := range os.Args[4:] {
		field, value, _ := strings.Cut(pair, "=")
		if err := form.WriteField(field, value); err != nil {
			log.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("fileAttachment", name)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		log.Fatal(err)
	}
	form.Close()
	res, err := http.Post(url, form.FormDataContentType(), &body)
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
}

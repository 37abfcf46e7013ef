// Package web is the page of the chat, as it was built last.
package web

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
)

//go:embed dist
var dist embed.FS

// policy lets the page load what is its own, and talk to the server that it came from.
const policy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page. Browsers ask each time whether it has changed, so that none goes on with the page of an older server.
func Handler() http.Handler {
	page, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a valid one
	}
	tags := tagsOf(page)
	files := http.FileServerFS(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		if tag, ok := tags[path.Clean(r.URL.Path)]; ok {
			h.Set("ETag", tag)
		}
		files.ServeHTTP(w, r)
	})
}

// tagsOf returns what tells versions of the files apart, by path.
func tagsOf(page fs.FS) map[string]string {
	tags := map[string]string{}
	names, _ := fs.Glob(page, "*") // the pattern is a valid one
	for _, name := range names {
		if data, err := fs.ReadFile(page, name); err == nil {
			tags["/"+name] = fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(data)))
		}
	}
	tags["/"] = tags["/index.html"]
	return tags
}

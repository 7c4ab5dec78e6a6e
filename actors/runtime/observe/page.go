package observe

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"sync"
)

//go:embed page
var pageFiles embed.FS

// scripts of the page, in the order in which they are joined.
var scripts = []string{"format.js", "tree.js", "torrents.js", "work.js", "graph.js", "failures.js", "panel.js", "live.js"}

// thePage is a single document. Its content security policy allows the browser
// to run the one script and the one style in it, and to connect to this server
// only: names that torrents and peers give themselves stay text.
var thePage = sync.OnceValue(assemble)

type page struct {
	html   []byte
	policy string
}

func assemble() page {
	style := pageFile("page.css")
	script := []byte("'use strict';\n")
	for _, name := range scripts {
		script = append(script, pageFile(name)...)
	}
	html := pageFile("page.html")
	html = bytes.Replace(html, []byte("<style></style>"), bytes.Join([][]byte{[]byte("<style>"), style, []byte("</style>")}, nil), 1)
	html = bytes.Replace(html, []byte("<script></script>"), bytes.Join([][]byte{[]byte("<script>"), script, []byte("</script>")}, nil), 1)
	return page{html: html, policy: "default-src 'none'; script-src " + source(script) + "; style-src " + source(style) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
}

func pageFile(name string) []byte {
	b, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // only if the file was not embedded
	}
	return b
}

func source(inline []byte) string {
	sum := sha256.Sum256(inline)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

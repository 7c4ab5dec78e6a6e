package observe

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
)

//go:embed page
var pageFiles embed.FS

// scripts are joined in this order.
var scripts = []string{"format.js", "tree.js", "torrents.js", "failures.js", "panel.js", "live.js"}

// thePage is one document without anything outside of it. Its policy lets a
// browser run the one script and the one style that are in it, and connect to
// nobody but us: whatever a torrent or a peer calls itself stays text.
var thePage = assemble()

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
		panic(err) // the build has forgotten it
	}
	return b
}

func source(inline []byte) string {
	sum := sha256.Sum256(inline)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

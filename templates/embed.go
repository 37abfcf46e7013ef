// Package templates holds the text of everything generated that is not Go of a protocol. Templates render what they are
// given and decide nothing.
package templates

import "embed"

// Init is the project that wsgen init writes. Files that end with .tmpl are text/templates over the fields of
// scaffold.Project and lose that ending; the others are copied.
//
//go:embed all:init
var Init embed.FS

// Docs are the documents of a protocol: text/template and html/template over docs.Page.
//
//go:embed docs
var Docs embed.FS

// TypeScript holds the client in TypeScript: text/templates over typescript.Page, and the parts that are the same in every client.
//
//go:embed typescript
var TypeScript embed.FS

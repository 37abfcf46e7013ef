package golang

// This file is the vocabulary that all emitters share: packages, comments, literals, types.

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// Packages that generated code imports.
const (
	pkgRuntime = "github.com/wsgen/wsgen/runtime"
	pkgClient  = "github.com/wsgen/wsgen/runtime/client"
	pkgCodec   = "github.com/wsgen/wsgen/runtime/codec"
	pkgJX      = "github.com/go-faster/jx"

	pkgValidate = "github.com/wsgen/wsgen/runtime/validate"
	pkgFallback = "github.com/wsgen/wsgen/runtime/fallback"
)

// rt returns a name of the runtime: wsrt.Conn.
func rt(name string) *jen.Statement { return jen.Qual(pkgRuntime, name) }

// codec returns a name of the codec package: codec.Decoder.
func codec(name string) *jen.Statement { return jen.Qual(pkgCodec, name) }

// ptr returns *Name.
func ptr(name string) *jen.Statement { return jen.Op("*").Id(name) }

// ctxParam returns the parameter ctx context.Context.
func ctxParam() *jen.Statement { return jen.Id("ctx").Qual("context", "Context") }

// method begins a method: func (recv *Type) Name. Its parameters, results and body follow.
func method(recv, typ, name string) *jen.Statement {
	return jen.Func().Params(jen.Id(recv).Op("*").Id(typ)).Id(name)
}

// valueMethod begins a method on a value: func (recv Type) Name.
func valueMethod(recv, typ, name string) *jen.Statement {
	return jen.Func().Params(jen.Id(recv).Id(typ)).Id(name)
}

const commentWidth = 100

// doc returns text as line comments, wrapped. It is the only way for a user's text into a comment: whatever the text
// holds, every line of the result begins with "// " or is "//", so that it can neither end the comment nor become a
// directive. Lines of the text that begin with white space are kept as they are.
func doc(text string) *jen.Statement {
	s := jen.Null()
	for i, line := range docLines(text) {
		if i > 0 {
			s.Line()
		}
		s.Comment(commentLine(line))
	}
	return s
}

// commentLine makes a comment of one line of docLines.
func commentLine(line string) string {
	if line == "" {
		return "//"
	}
	return "// " + line
}

// docLines wraps text to the lines of a comment: without blank ones at its ends, and never two in a row.
func docLines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = cleanLine(line)
		switch {
		case line == "" && (len(out) == 0 || out[len(out)-1] == ""):
		case line == "", line[0] == ' ':
			out = append(out, line)
		default:
			out = append(out, wrap(line)...)
		}
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// wrap cuts a line at spaces so that it is no wider than a comment should be.
func wrap(line string) []string {
	var out []string
	current := ""
	for word := range strings.FieldsSeq(line) {
		switch {
		case current == "":
			current = word
		case len(current)+1+len(word) > commentWidth:
			out = append(out, current)
			current = word
		default:
			current += " " + word
		}
	}
	out = append(out, current)
	for i, l := range out {
		if strings.HasPrefix(l, "+build") {
			out[i] = "'" + l // go vet takes it for a misplaced build constraint
		}
	}
	return out
}

// cleanLine replaces what must not stand in a Go comment: line ends, control characters, byte order marks, invalid UTF-8.
// Indentation becomes four spaces, white space at the end goes.
func cleanLine(line string) string {
	line = strings.ToValidUTF8(line, "\uFFFD")
	line = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\u2028' || r == '\u2029' || unicode.IsControl(r):
			return ' '
		case r == '\uFEFF':
			return -1
		}
		return r
	}, line)
	trimmed := strings.TrimSpace(line)
	if trimmed != "" && strings.HasPrefix(line, " ") {
		return "    " + trimmed
	}
	return trimmed
}

// paragraphs joins the non-empty texts to one comment with blank lines between them.
func paragraphs(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, "\n\n")
}

// deprecated returns the paragraph that linters look for, or "" for what is not deprecated.
func deprecated(text string) string {
	if text == "" {
		return ""
	}
	return "Deprecated: " + strings.TrimSpace(text)
}

// rawString returns a string literal in back quotes where Go allows that, because JSON reads badly with escaped quotes.
func rawString(s string) *jen.Statement {
	if strconv.CanBackquote(s) {
		return jen.Op("`" + s + "`")
	}
	return jen.Lit(s)
}

// goType returns the Go type of a value of t that is neither optional nor null.
func goType(t *model.Type) *jen.Statement {
	switch t.Kind {
	case model.Bool:
		return jen.Bool()
	case model.Int:
		return jen.Int()
	case model.Int8, model.Int16, model.Int32, model.Uint8, model.Uint16, model.Uint32, model.Int64, model.Uint64,
		model.Int64Number, model.Uint64Number, model.Float32, model.Float64:
		return jen.Id(numberName(t.Kind))
	case model.Bytes:
		return jen.Index().Byte()
	case model.DateTime:
		return jen.Qual("time", "Time")
	case model.Any:
		return jen.Qual("encoding/json", "RawMessage")
	case model.Object:
		return jen.Map(jen.String()).Any()
	case model.Array:
		return jen.Index().Add(elemType(t.Elem))
	case model.Map:
		return jen.Map(keyType(t)).Add(elemType(t.Elem))
	case model.Ref:
		return jen.Id(t.Ref.Go)
	}
	return jen.String()
}

// elemType returns the Go type of an item or of a map's value: a pointer when it may be null.
func elemType(t *model.Type) *jen.Statement {
	if t.Nullable && t.UnionType() == nil {
		return jen.Op("*").Add(goType(t))
	}
	return goType(t)
}

// keyType returns the Go type of a map's keys.
func keyType(t *model.Type) *jen.Statement {
	if t.Key == nil {
		return jen.String()
	}
	return goType(t.Key)
}

// fieldType returns the Go type of a field, as its presence asks.
func fieldType(f *model.Field) *jen.Statement {
	switch f.Presence() {
	case model.Pointer:
		if f.Type.UnionType() != nil {
			return goType(f.Type) // an interface has a nil
		}
		return jen.Op("*").Add(goType(f.Type))
	case model.ThreeState:
		return codec("Opt").Types(goType(f.Type))
	}
	return goType(f.Type)
}

// numberName returns the Go name of a number's type.
func numberName(k model.Kind) string {
	switch k {
	case model.Int:
		return "int"
	case model.Int8:
		return "int8"
	case model.Int16:
		return "int16"
	case model.Int32:
		return "int32"
	case model.Uint8:
		return "uint8"
	case model.Uint16:
		return "uint16"
	case model.Uint32:
		return "uint32"
	case model.Int64, model.Int64Number:
		return "int64"
	case model.Uint64, model.Uint64Number:
		return "uint64"
	case model.Float32:
		return "float32"
	}
	return "float64"
}

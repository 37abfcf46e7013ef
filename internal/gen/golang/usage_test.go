package golang

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// usageAPI is a protocol of messages with these names; a request has progress.
func usageAPI(kinds []string, events, requests, received []string) *model.API {
	api := &model.API{Name: "Chat", GoPackage: "chat", Doc: "Rooms.\n\nNo heading\n\n    code\n*/ func init() {}"}
	body := func(name string) *model.Named {
		return &model.Named{Go: name, Type: &model.Type{Kind: model.Struct}}
	}
	for _, k := range kinds {
		api.Kinds = append(api.Kinds, &model.RoomKind{Name: strings.ToLower(k), Go: k})
	}
	add := func(name string, d model.Direction) *model.Message {
		m := &model.Message{Wire: strings.ToUpper(name), Go: name, GoClient: name, Direction: d, Payload: body(name)}
		api.Messages = append(api.Messages, m)
		return m
	}
	for _, name := range events {
		add(name, model.ClientToServer)
	}
	for _, name := range requests {
		add(name, model.ClientToServer).Request = &model.RPC{Response: body(name + "Response"), Progress: body(name + "Progress")}
	}
	for _, name := range received {
		add(name, model.ServerToClient)
	}
	return api
}

// TestPackageComment shows that the comment stays in front of the package clause, and that its code is Go.
func TestPackageComment(t *testing.T) {
	for name, c := range map[string]struct {
		api  *model.API
		want []string
	}{
		"all": {usageAPI([]string{"Room", "Match"}, []string{"Join"}, []string{"Ask"}, []string{"News"}), []string{
			"a RoomHandler for each room, a MatchHandler for each match and a ConnHandler:", "OpenMatch:    openMatch,",
			"Conn:         handler,",
			"News: func(ctx context.Context, m *chat.News) {},", "err = c.Join(ctx, &chat.Join{})",
		}},
		"requests only": {usageAPI(nil, nil, []string{"Ask"}, nil), []string{"a ConnHandler:", "chat.Events{})", "resp, err := c.Ask(ctx, &chat.Ask{}, nil)"}},
		"events only":   {usageAPI(nil, nil, nil, []string{"News"}), []string{"The server is an http.Handler:\n"}},
		"nothing":       {usageAPI(nil, nil, nil, nil), []string{"Rooms."}},
	} {
		f := newFile(c.api)
		packageComment(f, c.api)
		f.Var().Id("x").Op("=").Lit(1)
		src, err := render(f)
		if err != nil {
			t.Fatal(err)
		}
		file := parse(t, token.NewFileSet(), string(src))
		text := file.Doc.Text()
		if !strings.HasPrefix(text, "Package chat is the protocol Chat") || len(file.Decls) != 1 {
			t.Errorf("%s:\n%s", name, src)
		}
		for _, want := range c.want {
			if !strings.Contains(strings.ReplaceAll(text, "\n", " "), strings.ReplaceAll(want, "\n", " ")) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+indented(text)+"}\n", 0); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// indented returns the code of a comment behind the one of the protocol's own.
func indented(text string) string {
	_, text, _ = strings.Cut(text, "The server is")
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "\t") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// TestErrorTextIsAParagraph sends the first paragraph of the documentation as one line.
func TestErrorTextIsAParagraph(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 60))
	for doc, want := range map[string]string{"": "GONE", " \n": "GONE", "Gone.\nReally.\n\nMore.": "Gone. Really.", long: long} {
		if got := errorText(&model.ErrorCode{Wire: "GONE", Doc: doc}); got != want {
			t.Errorf("%q: %q", doc, got)
		}
	}
}

// TestTextOfKeys converts only where the type needs it.
func TestTextOfKeys(t *testing.T) {
	ref := func(k model.Kind) *model.Type {
		return &model.Type{Kind: model.Ref, Ref: &model.Named{Go: "T", Type: &model.Type{Kind: k}}}
	}
	for want, typ := range map[string]*model.Type{
		"v": {Kind: model.String}, "string(v)": ref(model.String), "strconv.FormatInt(v, 10)": {Kind: model.Int64},
		"strconv.FormatInt(int64(v), 10)": {Kind: model.Uint8}, "strconv.FormatUint(v, 10)": {Kind: model.Uint64},
		"strconv.FormatUint(uint64(v), 10)": ref(model.Uint64),
	} {
		f := jen.NewFile("p")
		f.Var().Id("x").Op("=").Add(asText(typ, jen.Id("v")))
		if src, err := render(f); err != nil || !strings.Contains(string(src), "var x = "+want+"\n") {
			t.Errorf("want %s, got %v\n%s", want, err, src)
		}
	}
}

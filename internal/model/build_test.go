package model_test

import (
	"os"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

func build(t *testing.T, src string) *model.API {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Parse("messages.yaml", []byte(src), &diags), &diags)
	for _, d := range diags.Sorted() {
		t.Errorf("%v: %s (%s) %s", d.Pos, d.Message, d.Rule, d.Hint)
	}
	if t.Failed() {
		t.FailNow()
	}
	return api
}

func TestExample(t *testing.T) {
	src, err := os.ReadFile("../../examples/messages.yaml")
	if err != nil {
		t.Fatal(err)
	}
	api := build(t, string(src))
	if api.GoPackage != "chat" || api.Sharding.Shards != 10 || len(api.Messages) != 7 {
		t.Errorf("package %s, %d shards, %d messages", api.GoPackage, api.Sharding.Shards, len(api.Messages))
	}
	for _, m := range api.Messages {
		t.Log(m.Wire, m.Go, m.Room, m.Doc, m.Payload.Path)
	}
}

package unions_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/unions/unions"
)

// echo sends back what it gets.
type echo struct{}

func (echo) Post(_ context.Context, c *unions.Conn, m *unions.Post) error   { return c.Send(m) }
func (echo) Shape(_ context.Context, c *unions.Conn, m *unions.Shape) error { return c.Send(m) }
func (echo) Draw(_ context.Context, c *unions.Conn, m *unions.Draw) error   { return c.Send(m) }
func (echo) Value(_ context.Context, c *unions.Conn, m *unions.Value) error { return c.Send(m) }

func (echo) Ask(_ context.Context, _ *unions.Conn, req *unions.AskRequest, progress func(*unions.AskProgress) error) (*unions.Ref, error) {
	if err := progress(&unions.AskProgress{Value: &unions.AttachmentImage{URL: "https://a/b", Width: 1}}); err != nil {
		return nil, err
	}
	switch pet := req.Value.(type) {
	case *unions.Cat:
		return &unions.Ref{Number: new(int32(pet.Lives))}, nil
	case *unions.Dog:
		return &unions.Ref{String: pet.Name}, nil
	}
	return nil, errors.New("no pet")
}

func serve(t *testing.T) *wstest.Server {
	t.Helper()
	srv, err := unions.NewServer(unions.Config{Conn: echo{}, Authenticate: func(*http.Request, string) (*unions.Claims, error) {
		return &unions.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return wstest.Serve(t, srv)
}

func TestUnionsTravel(t *testing.T) {
	srv := serve(t)
	drawn := make(chan *unions.Draw, 1)
	shaped := make(chan *unions.Shape, 1)
	c, err := unions.Dial(t.Context(), srv.URL(), unions.Events{
		Draw:  func(_ context.Context, m *unions.Draw) { drawn <- m },
		Shape: func(_ context.Context, m *unions.Shape) { shaped <- m },
	}, srv.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Draw(t.Context(), &unions.Draw{Value: &unions.DrawCircle{R: 2}}); err == nil {
		if circle, ok := (<-drawn).Value.(*unions.DrawCircle); !ok || circle.R != 2 {
			t.Errorf("got %+v", circle)
		}
	} else {
		t.Error(err)
	}
	if err := c.Shape(t.Context(), &unions.Shape{Value: &unions.Cat{Lives: 7}}); err != nil {
		t.Fatal(err)
	}
	if cat, ok := (<-shaped).Value.(*unions.Cat); !ok || cat.Lives != 7 {
		t.Errorf("got %+v", cat)
	}
	var progress []unions.Attachment
	ref, err := c.Ask(t.Context(), &unions.AskRequest{Value: &unions.Dog{Name: new("Rex")}}, func(p *unions.AskProgress) { progress = append(progress, p.Value) })
	if err != nil || ref.String == nil || *ref.String != "Rex" || len(progress) != 1 {
		t.Errorf("%+v, %v, %v", ref, progress, err)
	}
}

// TestWhatServersRefuse sends frames that clients of ours would not.
func TestWhatServersRefuse(t *testing.T) {
	srv := serve(t)
	conn := wstest.Dial(t, srv, "/?access_token=ann")
	for _, tt := range []struct{ payload, path, message string }{
		{`{"lives":1}`, "/payload/species", "is required"},
		{`{"species":"cow"}`, "/payload/species", `must be one of "cat", "dog"`},
		{`{"species":5}`, "/payload/species", "must be a string, got number"},
		{`{"species":"cat","lives":10}`, "/payload/lives", "must be at most 9"},
		{`{"species":"cat","lives":1,"name":"x"}`, "/payload/name", "unknown field"},
		{`[]`, "/payload", "must be an object, got array"},
	} {
		conn.Send(`{"type":"SHAPE","payload":` + tt.payload + `}`)
		var answer struct {
			Payload struct {
				Details struct{ Issues codec.Issues }
			}
		}
		if err := json.Unmarshal([]byte(conn.Next()), &answer); err != nil {
			t.Fatal(err)
		}
		issues := answer.Payload.Details.Issues
		if len(issues) != 1 || issues[0].Path != tt.path || issues[0].Message != tt.message {
			t.Errorf("%s: %v, want %s %s", tt.payload, issues, tt.path, tt.message)
		}
	}
}

// TestWhatCannotBeSent makes values that the schema does not allow.
func TestWhatCannotBeSent(t *testing.T) {
	post := func(change func(p *unions.Post)) *unions.Post {
		p := unions.NewPost()
		p.Ref, p.Price, p.Labels.ID = unions.Ref{Number: new(int32(1))}, 1, "x"
		change(p)
		return p
	}
	for want, m := range map[string]*unions.Post{
		"":                                  post(func(*unions.Post) {}),
		"/files/0 is required":              post(func(p *unions.Post) { p.Files = []unions.Attachment{nil} }),
		"/files/0/width must be at least 1": post(func(p *unions.Post) { p.Files = []unions.Attachment{&unions.AttachmentImage{URL: "https://a"}} }),
		"/pet is of a variant that the schema does not have":     post(func(p *unions.Post) { p.Pet = &unions.UnknownPet{Tag: "cow"} }),
		"/ref must have exactly one of its fields set":           post(func(p *unions.Post) { p.Ref.String = new("both") }),
		"/at/0 must be at most 90":                               post(func(p *unions.Post) { p.At = &unions.Place{V0: 91} }),
		"/level must be one of 1, 2, 3":                          post(func(p *unions.Post) { p.Level = 4 }),
		"/price must be a multiple of 0.01":                      post(func(p *unions.Post) { p.Price = 0.001 }),
		"/slug must match ^[a-z0-9-]+$":                          post(func(p *unions.Post) { p.Slug = new(unions.Slug("A")) }),
		"/labels/id has a field of its own":                      post(func(p *unions.Post) { p.Labels.Extra = map[string]string{"id": "x"} }),
		"/scores/q unknown field":                                post(func(p *unions.Post) { p.Scores = unions.Scores{"q": 1} }),
		"/tags must have different items, but 0 and 1 are equal": post(func(p *unions.Post) { p.Tags = []string{"a", "a"} }),
	} {
		raw, err := json.Marshal(m)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", raw, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

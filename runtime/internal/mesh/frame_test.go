package mesh_test

import (
	"reflect"
	"testing"

	"github.com/wsgen/wsgen/runtime/internal/mesh"
)

// full has a value in every field.
func full() *mesh.Frame {
	f := &mesh.Frame{Kind: mesh.Cast}
	v := reflect.ValueOf(f).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case uint64:
			field.SetUint(uint64(i) << 20)
		case string:
			field.SetString(v.Type().Field(i).Name)
		case []byte:
			field.SetBytes([]byte(v.Type().Field(i).Name))
		case []string:
			field.Set(reflect.ValueOf([]string{"room:a", "room:b"}))
		case mesh.ConnID:
			field.Set(reflect.ValueOf(mesh.ConnID{byte(i), 1}))
		case []mesh.ConnID:
			field.Set(reflect.ValueOf([]mesh.ConnID{{1}, {2}}))
		}
	}
	return f
}

func TestFramesKeepEveryField(t *testing.T) {
	for _, f := range []*mesh.Frame{{Kind: mesh.Gone}, {Kind: mesh.Done, Frame: []byte{}}, full()} {
		got, err := mesh.Decode(f.Encode())
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("got %+v, %v; want %+v", got, err, f)
		}
	}
}

func TestFramesThatEndTooSoon(t *testing.T) {
	data := full().Encode()
	failed := 0
	for n := range data {
		if _, err := mesh.Decode(data[:n]); err != nil {
			failed++
		}
	}
	if failed < len(data)*3/4 { // a cut between two fields leaves a frame with fewer of them
		t.Errorf("%d of %d cuts were noticed", failed, len(data))
	}
}

// TestFieldsOfLaterVersions are skipped.
func TestFieldsOfLaterVersions(t *testing.T) {
	f := &mesh.Frame{Kind: mesh.Joined, Topic: "room:a", Slot: 3}
	data := append(f.Encode(), 0x7e, 5, 0x7f, 2, 'x', 'y')
	if got, err := mesh.Decode(data); err != nil || !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(full().Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := mesh.Decode(data)
		if err != nil {
			return
		}
		if b, err := mesh.Decode(a.Encode()); err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%+v became %+v, %v", a, b, err)
		}
	})
}

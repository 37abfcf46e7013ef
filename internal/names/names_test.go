package names_test

import (
	"go/token"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/names"
)

func TestIdentifiers(t *testing.T) {
	for _, tt := range []struct{ wire, goName, ts string }{
		{"JOIN_ROOM", "JoinRoom", "joinRoom"},
		{"joinRoom", "JoinRoom", "joinRoom"},
		{"JoinRoom", "JoinRoom", "joinRoom"},
		{"join-room", "JoinRoom", "joinRoom"},
		{"ROOM UPDATE", "RoomUpdate", "roomUpdate"},
		{"GET_USER_ID", "GetUserID", "getUserId"},
		{"GET_USER_IDS", "GetUserIDs", "getUserIds"},
		{"userIDs", "UserIDs", "userIds"},
		{"HTTP_2_PUSH", "HTTP2Push", "http2Push"},
		{"2FA_CODE", "X2faCode", "_2faCode"},
		{"ROOM:JOIN", "RoomJoin", "roomJoin"},
		{"SYNC.DELTAS", "SyncDeltas", "syncDeltas"},
		{"auth.LOGIN", "AuthLogin", "authLogin"},
		{"session.update", "SessionUpdate", "sessionUpdate"},
		{"response.output_audio.delta", "ResponseOutputAudioDelta", "responseOutputAudioDelta"},
		{"XMLHttpRequest", "XMLHTTPRequest", "xmlHttpRequest"},
		{"OAUTH2_TOKEN", "Oauth2Token", "oauth2Token"},
		{"IPV6_ADDR", "Ipv6Addr", "ipv6Addr"},
		{"A_B", "AB", "aB"},
		{"A__B", "AB", "aB"},
		{"AB", "Ab", "ab"},
		{"ÜBER_RAUM", "ÜberRaum", "überRaum"},
		{"房间_加入", "X房间加入", "房间加入"},
		{"TYPE", "Type", "type"},
		{"x-y", "XY", "xY"},
		{"@id", "ID", "id"},
		{"$ref", "Ref", "ref"},
		{"1st", "X1st", "_1st"},
		{"!!!", "", ""},
		{"", "", ""},
	} {
		if got := names.Go(tt.wire); got != tt.goName {
			t.Errorf("Go(%q) = %q, want %q", tt.wire, got, tt.goName)
		}
		if got := names.TS(tt.wire); got != tt.ts {
			t.Errorf("TS(%q) = %q, want %q", tt.wire, got, tt.ts)
		}
	}
}

func TestEnums(t *testing.T) {
	for _, tt := range []struct {
		values, want []string
		numbered     bool
	}{
		{[]string{"owner", "moderator"}, []string{"Owner", "Moderator"}, false},
		{[]string{"MHz", "mHz"}, []string{"MHz", "mHz"}, false},
		{[]string{"<", "<=", "==", "!="}, []string{"Less", "LessEqual", "EqualEqual", "NotEqual"}, false},
		{[]string{"+1", "-1"}, []string{"Plus1", "Minus1"}, false},
		{[]string{"Etc/GMT+0", "Etc/GMT-0"}, []string{"EtcSlashGMTPlus0", "EtcSlashGMTMinus0"}, false},
		{[]string{"", "*"}, []string{"Empty", "Star"}, false},
		{[]string{"null", "true", "1"}, []string{"Null", "True", "1"}, false},
		{[]string{"😀", "😀😀"}, []string{"Value1", "Value2"}, true},
	} {
		got, numbered := names.Enum(tt.values)
		if !slices.Equal(got, tt.want) || numbered != tt.numbered {
			t.Errorf("Enum(%q) = %q, %v; want %q, %v", tt.values, got, numbered, tt.want, tt.numbered)
		}
	}
}

func TestIntEnum(t *testing.T) {
	if got, want := names.IntEnum([]string{"-1", "5", "1"}), []string{"Minus1", "5", "1"}; !slices.Equal(got, want) {
		t.Errorf("the names are %q instead of %q", got, want)
	}
}

func TestSimilar(t *testing.T) {
	words := []string{"string", "int32", "date", "time"}
	for in, want := range map[string]string{"strnig": "string", "String": "string", "int": "int32", "xyz": "", "dat": "date"} {
		if got := names.Similar(in, words); got != want {
			t.Errorf("Similar(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPackage(t *testing.T) {
	for in, want := range map[string]string{"Chat": "chat", "My Game 2": "mygame2", "2d": "", "type": "", "!": "", "main": ""} {
		if got := names.Package(in); got != want {
			t.Errorf("Package(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"JOIN_ROOM", "2FA", "房间", "ǅ", "IDs", "a\xffb", "٣x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if g := names.Go(s); g != "" && utf8.ValidString(s) && (!token.IsIdentifier(g) || !token.IsExported(g) ||
			!names.IsGo(g)) {
			t.Errorf("Go(%q) = %q is no exported identifier", s, g)
		}
		if g := names.TS(s); g != "" && utf8.ValidString(s) && g != names.TS(s) {
			t.Errorf("TS(%q) is not stable", s)
		}
		if p := names.Package(s); p != "" && !token.IsIdentifier(p) {
			t.Errorf("Package(%q) = %q is no identifier", s, p)
		}
		suffixes, _ := names.Enum([]string{s, s + "x"})
		for _, suffix := range suffixes {
			if utf8.ValidString(s) && !token.IsIdentifier("T"+suffix) {
				t.Errorf("Enum(%q) has %q", s, suffix)
			}
		}
	})
}

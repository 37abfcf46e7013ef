package codec

import (
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Format is a format of strings that is checked. Verdicts are those of JSON Schema 2020-12 with format assertion, as
// github.com/santhosh-tekuri/jsonschema/v5 judges, except that a sign is refused where it takes one for a digit.
type Format uint8

// The formats.
const (
	FormatUUID                Format = iota // RFC 4122
	FormatDateTime                          // RFC 3339 date-time
	FormatDate                              // RFC 3339 full-date
	FormatTime                              // RFC 3339 full-time
	FormatDuration                          // RFC 3339 appendix A
	FormatEmail                             // RFC 5321 mailbox
	FormatURI                               // RFC 3986, absolute
	FormatURIReference                      // RFC 3986
	FormatHostname                          // RFC 1123
	FormatIPv4                              // RFC 2673, dotted quad
	FormatIPv6                              // RFC 4291
	FormatJSONPointer                       // RFC 6901
	FormatRegex                             // a regular expression of RE2
	FormatRelativeJSONPointer               // draft-bhutton-relative-json-pointer-00
	FormatIRIReference                      // RFC 3987, as far as Go parses it
	FormatInt64                             // decimal digits of a 64-bit integer
	FormatUint64                            // decimal digits of an unsigned 64-bit integer
)

// Formats returns the formats that are checked, by their names in JSON Schema. The map is the caller's.
func Formats() map[string]Format {
	return map[string]Format{
		"uuid": FormatUUID, "date-time": FormatDateTime, "date": FormatDate, "time": FormatTime, "duration": FormatDuration,
		"email": FormatEmail, "uri": FormatURI, "uri-reference": FormatURIReference, "hostname": FormatHostname, "ipv4": FormatIPv4,
		"ipv6": FormatIPv6, "json-pointer": FormatJSONPointer, "regex": FormatRegex, "relative-json-pointer": FormatRelativeJSONPointer,
		"iri-reference": FormatIRIReference, "int64": FormatInt64, "uint64": FormatUint64,
	}
}

// Match reports whether s is of the format.
func (f Format) Match(s string) bool {
	switch f {
	case FormatUUID:
		return isUUID(s)
	case FormatDateTime:
		_, ok := parseDateTime([]byte(s))
		return ok
	case FormatDate:
		_, ok := parseDate([]byte(s))
		return ok
	case FormatTime:
		_, ok := parseClock([]byte(s))
		return ok
	case FormatDuration:
		return isDuration(s)
	case FormatEmail:
		return isEmail(s)
	case FormatURI:
		u := parseURL(s)
		return u != nil && u.IsAbs()
	case FormatURIReference:
		return parseURL(s) != nil && !strings.Contains(s, `\`)
	case FormatHostname:
		return isHostname(s)
	case FormatIPv4:
		return isIPv4(s)
	case FormatIPv6:
		return isIPv6(s)
	case FormatJSONPointer:
		return isJSONPointer(s)
	case FormatRegex:
		_, err := regexp.Compile(s)
		return err == nil
	case FormatRelativeJSONPointer:
		return isRelativeJSONPointer(s)
	case FormatIRIReference:
		return parseURL(s) != nil && !strings.Contains(s, `\`)
	case FormatInt64:
		_, err := strconv.ParseInt(s, 10, 64)
		return err == nil && canonicalInteger([]byte(s))
	case FormatUint64:
		_, err := strconv.ParseUint(s, 10, 64)
		return err == nil && canonicalInteger([]byte(s))
	}
	return true
}

// message is the issue of a string that is not of the format.
func (f Format) message() string {
	switch f {
	case FormatUUID:
		return "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000"
	case FormatDateTime:
		return "must be a date and time such as 2006-01-02T15:04:05Z"
	case FormatDate:
		return "must be a date such as 2006-01-02"
	case FormatTime:
		return "must be a time such as 15:04:05Z"
	case FormatDuration:
		return "must be a duration such as P1DT12H"
	case FormatEmail:
		return "must be an email address"
	case FormatURI:
		return "must be an absolute URI"
	case FormatURIReference:
		return "must be a URI or a relative reference"
	case FormatHostname:
		return "must be a host name"
	case FormatIPv4:
		return "must be an IPv4 address"
	case FormatIPv6:
		return "must be an IPv6 address"
	case FormatJSONPointer:
		return "must be a JSON Pointer"
	case FormatRelativeJSONPointer:
		return "must be a relative JSON Pointer"
	case FormatIRIReference:
		return "must be an IRI or a relative reference"
	case FormatInt64, FormatUint64:
		return "must be a string with an integer of 64 bits"
	}
	return "must be a regular expression"
}

// isUUID takes 8-4-4-4-12 hexadecimal digits in either case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isDigit(c) && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// isDuration takes P and years, months, days and, behind T, hours, minutes, seconds: each a number, in this order, with
// no gap between the units and at least one of them; or weeks alone.
func isDuration(s string) bool {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok {
		return false
	}
	date, clock, timed := strings.Cut(rest, "T")
	units, ok := durationUnits(date)
	if !ok || timed && units == "W" {
		return false
	}
	if units == "W" {
		return true
	}
	if !timed {
		return units != "" && strings.Contains("YMD", units)
	}
	times, ok := durationUnits(clock)
	return ok && strings.Contains("YMD", units) && times != "" && strings.Contains("HMS", times)
}

// durationUnits returns the letters behind the numbers of s.
func durationUnits(s string) (units string, ok bool) {
	for s != "" {
		n := 0
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		if n == 0 || n == len(s) {
			return "", false
		}
		units += s[n : n+1]
		s = s[n+1:]
	}
	return units, true
}

// isEmail takes a mailbox whose domain is a host name or an address in brackets.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if len(s) > 254 || at < 0 || at > 64 {
		return false
	}
	domain := s[at+1:]
	if literal, ok := strings.CutPrefix(domain, "["); ok && strings.HasSuffix(literal, "]") {
		literal = strings.TrimSuffix(literal, "]")
		if v6, ok := strings.CutPrefix(literal, "IPv6:"); ok {
			return isIPv6(v6)
		}
		return isIPv4(literal)
	}
	if !isHostname(domain) {
		return false
	}
	_, err := mail.ParseAddress(s)
	return err == nil
}

// isHostname takes labels of letters, digits and hyphens with dots between them, and one dot at the end.
func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 || strings.HasPrefix(s, "-") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i] | 0x20
			if !isDigit(label[i]) && label[i] != '-' && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

// isIPv4 takes four numbers of 0 to 255. Leading zeros are refused, because many read such numbers as octal.
func isIPv4(s string) bool {
	groups := 0
	for group := range strings.SplitSeq(s, ".") {
		groups++
		n := 0
		for i := range len(group) {
			if !isDigit(group[i]) {
				return false
			}
			if n = n*10 + int(group[i]-'0'); n > 255 {
				return false
			}
		}
		if group == "" || n != 0 && group[0] == '0' {
			return false
		}
	}
	return groups == 4
}

// isIPv6 takes an address without a zone.
func isIPv6(s string) bool { return strings.Contains(s, ":") && net.ParseIP(s) != nil }

// parseURL returns nil when s is no URI reference, or has an IPv6 host that is wrong or without brackets.
func parseURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		return nil
	}
	if host := u.Hostname(); strings.Contains(host, ":") {
		if !strings.Contains(u.Host, "[") || !strings.Contains(u.Host, "]") || !isIPv6(host) {
			return nil
		}
	}
	return u
}

// isJSONPointer takes "" and what begins with a slash, with every ~ followed by 0 or 1.
func isJSONPointer(s string) bool {
	if s != "" && s[0] != '/' {
		return false
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return false
		}
	}
	return true
}

// isRelativeJSONPointer takes a number without leading zeros, and # or a JSON Pointer behind it.
func isRelativeJSONPointer(s string) bool {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	return s[n:] == "#" || isJSONPointer(s[n:])
}

// isDigit reports whether c is a decimal digit.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

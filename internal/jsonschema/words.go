package jsonschema

// The digits that int64 and uint64 travel as.
const (
	Int64Pattern  = "^(0|-?[1-9][0-9]{0,18})$"
	Uint64Pattern = "^(0|[1-9][0-9]{0,19})$"
)

// IntRanges are the ranges of the formats of integers, least and most. The empty format is int, which JavaScript can hold.
var IntRanges = map[string][2]string{
	"":     {"-9007199254740991", "9007199254740991"},
	"int8": {"-128", "127"}, "uint8": {"0", "255"},
	"int16": {"-32768", "32767"}, "uint16": {"0", "65535"},
	"int32": {"-2147483648", "2147483647"}, "uint32": {"0", "4294967295"},
	"int64": {"-9223372036854775808", "9223372036854775807"}, "uint64": {"0", "18446744073709551615"},
}

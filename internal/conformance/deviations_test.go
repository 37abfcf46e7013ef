package conformance

// deviations are the tests of the suite that generated code judges in another way, and why. The suite takes format and
// content for annotations, which the language asserts.
var deviations = map[string]string{
	`content / validation of string-encoded content based on media type / an invalid JSON document; validates true`:                               "content is asserted",
	`content / validation of binary string-encoding / an invalid base64 string (% is not a valid character); validates true`:                      "content is asserted",
	`content / validation of binary-encoded media type documents / a validly-encoded invalid JSON document; validates true`:                       "content is asserted",
	`content / validation of binary-encoded media type documents / an invalid base64 string that is valid JSON; validates true`:                   "content is asserted",
	`content / validation of binary-encoded media type documents with schema / an invalid base64-encoded JSON document; validates true`:           "content is asserted",
	`content / validation of binary-encoded media type documents with schema / an empty object as a base64-encoded JSON document; validates true`: "content is asserted",
	`content / validation of binary-encoded media type documents with schema / an empty array as a base64-encoded JSON document`:                  "content is asserted",
	`content / validation of binary-encoded media type documents with schema / a validly-encoded invalid JSON document; validates true`:           "content is asserted",
	`content / validation of binary-encoded media type documents with schema / an invalid base64 string that is valid JSON; validates true`:       "content is asserted",
	`format / email format / invalid email string is only an annotation by default`:                                                               "formats are asserted",
	`format / regex format / invalid regex string is only an annotation by default`:                                                               "formats are asserted",
	`format / ipv4 format / invalid ipv4 string is only an annotation by default`:                                                                 "formats are asserted",
	`format / ipv6 format / invalid ipv6 string is only an annotation by default`:                                                                 "formats are asserted",
	`format / hostname format / invalid hostname string is only an annotation by default`:                                                         "formats are asserted",
	`format / date format / invalid date string is only an annotation by default`:                                                                 "formats are asserted",
	`format / date-time format / invalid date-time string is only an annotation by default`:                                                       "formats are asserted",
	`format / time format / invalid time string is only an annotation by default`:                                                                 "formats are asserted",
	`format / json-pointer format / invalid json-pointer string is only an annotation by default`:                                                 "formats are asserted",
	`format / relative-json-pointer format / invalid relative-json-pointer string is only an annotation by default`:                               "formats are asserted",
	`format / iri-reference format / invalid iri-reference string is only an annotation by default`:                                               "formats are asserted",
	`format / uri format / invalid uri string is only an annotation by default`:                                                                   "formats are asserted",
	`format / uri-reference format / invalid uri-reference string is only an annotation by default`:                                               "formats are asserted",
	`format / uuid format / invalid uuid string is only an annotation by default`:                                                                 "formats are asserted",
	`format / duration format / invalid duration string is only an annotation by default`:                                                         "formats are asserted",
}

// optionalDeviations are those of the optional parts.
var optionalDeviations = map[string]string{
	`optional/bignum / integer / a bignum is an integer`:                                                                                       "an integer has 53 bits",
	`optional/bignum / integer / a negative bignum is an integer`:                                                                              "an integer has 53 bits",
	`optional/float-overflow / all integers are multiples of 0.5, if overflow is handled / valid if optional overflow handling is implemented`: "an integer has 53 bits",
}

// strictness are the groups that only the language refuses, and why. All others that are refused have $id, $anchor,
// $dynamicRef, $vocabulary or a $ref to another machine.
var strictness = map[string]string{
	"default / invalid type for default":                                            "bad-default",
	"default / invalid string value for default":                                    "bad-default",
	"default / the default keyword does not do anything if the property is missing": "bad-default",
	"enum / empty enum": "empty-enum",
	"pattern / pattern with Unicode property escape requires unicode mode":     "bad-pattern",
	"patternProperties / patternProperties with Unicode property escape":       "bad-pattern",
	"properties / properties whose names are Javascript object property names": "reserved-name",
}

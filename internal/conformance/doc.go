// Package conformance proves that generated code judges values as JSON Schema 2020-12 does. Its tests read the official test
// suite from the folder in JSON_SCHEMA_TEST_SUITE or, without that, from ../shared/data/json-schema-test-suite beside the
// checkout, and are skipped, visibly, where neither is there.
//
// Each group of the suite becomes a message with one field, v, of the group's schema. All groups that can be compiled go
// into one protocol, whose generated package is built once and judges all instances. With -vectors FOLDER the protocol and the
// verdicts are written there. The random types of golden/random, with their vectors, need no suite.
package conformance

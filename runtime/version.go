package runtime

// Version is the version of this module.
const Version = "0.1.0"

// IsAtLeastVersion0_1_0 is referred to by generated code: a package that needs a newer runtime than the one in go.mod
// does not compile. Update the runtime with go get github.com/wsgen/wsgen@latest then.
const IsAtLeastVersion0_1_0 = true

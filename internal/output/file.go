// Package output brings generated files to the disk.
package output

// File is a generated file in memory.
type File struct {
	Path string // with forward slashes; relative to the folder that the emitter writes for
	Data []byte
}

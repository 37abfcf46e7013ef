//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package hostlock

import (
	"errors"
	"os"
)

// lockFile says that files cannot be locked here.
func lockFile(*os.File) (identity string, err error) { return "", errors.ErrUnsupported }

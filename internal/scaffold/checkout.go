package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/wsgen/wsgen/internal/output"
)

// WSGen is the path of the module that a project requires.
const WSGen = "github.com/wsgen/wsgen"

// Checkout is a folder with the sources of wsgen, for projects that use those instead of a released version.
type Checkout struct {
	Dir string // absolute
	mod *modfile.File
	sum []byte
}

// ReadCheckout reads what a project needs to know of a folder. It returns nil when the folder is no checkout of wsgen.
func ReadCheckout(dir string) (*Checkout, error) {
	name := filepath.Join(dir, "go.mod")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && modfile.ModulePath(data) != WSGen {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &Checkout{Dir: dir}
	if c.mod, err = modfile.Parse(name, data, nil); err != nil {
		return nil, err
	}
	c.sum, err = os.ReadFile(filepath.Join(dir, "go.sum"))
	return c, err
}

// modules returns go.mod and go.sum of a project that uses the checkout. They hold all that the checkout requires, so that
// the project builds without looking anything up.
func (c *Checkout) modules(goMod []byte) ([]output.File, error) {
	mod, err := modfile.Parse("go.mod", goMod, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range c.mod.Require {
		mod.AddNewRequire(r.Mod.Path, r.Mod.Version, true)
	}
	if err := mod.AddReplace(WSGen, "", c.Dir, ""); err != nil {
		return nil, err
	}
	mod.Cleanup()
	goMod, err = mod.Format()
	return []output.File{{Path: "go.mod", Data: goMod}, {Path: "go.sum", Data: c.sum}}, err
}

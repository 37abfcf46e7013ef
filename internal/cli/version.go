package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	wsrt "github.com/wsgen/wsgen/runtime"
)

func newVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(s.out, "wsgen %s %s\n", version(), runtime.Version())
			return err
		},
	}
}

// version returns the version of the module that this program was built from; a checkout has that of the runtime.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
			if m.Path == modulePath && m.Version != "" && m.Version != "(devel)" && m.Replace == nil {
				return m.Version
			}
		}
	}
	return "v" + wsrt.Version + "-devel"
}

// modulePath is the path of this module.
const modulePath = "github.com/wsgen/wsgen"

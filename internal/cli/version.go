package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

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

// version returns the version of the module that this program was built from; a checkout has that of the runtime with
// develSuffix. There the go command may stamp the commit as a version, which cannot be downloaded.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok &&
		!slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs" }) {
		for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
			if m.Path == modulePath && m.Version != "" && m.Version != "(devel)" && m.Replace == nil {
				return m.Version
			}
		}
	}
	return "v" + wsrt.Version + develSuffix
}

// develSuffix marks the version of a checkout.
const develSuffix = "-devel"

// modulePath is the path of this module.
const modulePath = "github.com/wsgen/wsgen"

package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

func newSchema(s streams) *cobra.Command {
	var view string
	cmd := &cobra.Command{
		Use:   "schema [file]",
		Short: "Print what a protocol means as JSON Schema 2020-12",
		Long: `Schema prints one document with an entry of $defs for every type and every body of a message, such as
GET_HISTORY.request. It does not depend on how the file is written, only on what it declares and in which order.`,
		Args: atMostOne,
		RunE: func(_ *cobra.Command, args []string) error { return printSchema(s, append(args, defaultFile)[0], view) },
	}
	cmd.Flags().StringVar(&view, "view", "strict",
		"strict: what servers ask of clients and what may be sent; lenient: what clients accept from newer servers")
	return cmd
}

func printSchema(s streams, path, view string) error {
	views := map[string]func(*model.API) ([]byte, error){"strict": jsonschema.Canonical, "lenient": jsonschema.Lenient}
	if views[view] == nil {
		return usageError{fmt.Errorf("--view %s: use strict or lenient", view)}
	}
	var l loader
	api, err := l.load(path)
	if err != nil {
		return err
	}
	if err := l.report(s, "text"); err != nil {
		return err
	}
	doc, err := views[view](api)
	if err != nil {
		return internalError{err}
	}
	_, err = s.out.Write(doc)
	return err
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/gen/jsonschema"
)

func newSchema(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [file]",
		Short: "Print what a protocol means as JSON Schema 2020-12",
		Long: `Schema prints one document with an entry of $defs for every type and every body of a message, such as
GET_HISTORY.request. It does not depend on how the file is written, only on what it declares and in which order.`,
		Args: atMostOne,
		RunE: func(_ *cobra.Command, args []string) error { return printSchema(s, append(args, defaultFile)[0]) },
	}
}

func printSchema(s streams, path string) error {
	var l loader
	api, err := l.load(path)
	if err != nil {
		return err
	}
	if err := l.report(s, "text"); err != nil {
		return err
	}
	doc, err := jsonschema.Canonical(api)
	if err != nil {
		return internalError{err}
	}
	_, err = s.out.Write(doc)
	return err
}

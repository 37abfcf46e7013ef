// Wsgen generates typed WebSocket servers and clients from a YAML file. See the README.
package main

import (
	"os"

	"github.com/wsgen/wsgen/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

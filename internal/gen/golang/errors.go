package golang

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitErrors prints the errors of the schema, typed on both sides:
//
//	// NotInRoomError is NOT_IN_ROOM. A handler returns one, and a client finds it with errors.As.
//	type NotInRoomError struct {
//		Details NotInRoomDetails
//		err     *wsrt.Error // as it was received; nil for one to send
//	}
//
//	// NewNotInRoomError returns a *NotInRoomError.
//	func NewNotInRoomError(details NotInRoomDetails) error { return &NotInRoomError{Details: details} }
func emitErrors(f *jen.File, api *model.API) {
	for _, e := range api.Errors {
		errorType(f, e)
		errorConstructor(f, e)
		errorMethods(f, e)
	}
}

func errorType(f *jen.File, e *model.ErrorCode) {
	f.Add(doc(paragraphs(e.Go+" is "+e.Wire+". A handler returns one, and a client finds it with errors.As.", e.Doc)))
	f.Type().Id(e.Go).StructFunc(func(g *jen.Group) {
		if e.Details != nil {
			g.Id("Details").Id(e.GoDetails)
		}
		g.Id("err").Op("*").Add(rt("Error")).Comment("// as it was received; nil for one to send")
	})
	f.Line()
}

// errorConstructor prints New<Go>.
func errorConstructor(f *jen.File, e *model.ErrorCode) {
	var params, values []jen.Code
	if e.Details != nil {
		params = []jen.Code{jen.Id("details").Id(e.GoDetails)}
		values = []jen.Code{jen.Id("Details").Op(":").Id("details")}
	}
	f.Add(doc("New" + e.Go + " returns a *" + e.Go + "."))
	f.Func().Id("New" + e.Go).Params(params...).Error().Block(jen.Return(jen.Op("&").Id(e.Go).Values(values...)))
	f.Line()
}

// errorText is what the client reads as the message: the documentation's first paragraph, or the code.
func errorText(e *model.ErrorCode) string {
	first, _, _ := strings.Cut(strings.Join(docLines(e.Doc), "\n"), "\n\n")
	if text := strings.Join(strings.Fields(first), " "); text != "" {
		return text
	}
	return e.Wire
}

func errorMethods(f *jen.File, e *model.ErrorCode) {
	f.Add(doc("Error returns the code and the message."))
	f.Add(method("e", e.Go, "Error")).Params().String().Block(jen.Return(jen.Id("e").Dot("wire").Call().Dot("Error").Call()))
	f.Line()
	f.Add(doc("Unwrap returns the *wsrt.Error, which has the code, the message and the advice to retry."))
	f.Add(method("e", e.Go, "Unwrap")).Params().Error().Block(jen.Return(jen.Id("e").Dot("wire").Call()))
	f.Line()
	wireMethod(f, e)
}

// wireMethod prints the method that lets a value without err be sent, also one that no constructor made:
//
//	func (e *NotInRoomError) wire() *wsrt.Error {
//		if e.err != nil {
//			return e.err
//		}
//		return wsrt.Errorf("NOT_IN_ROOM", "%s", "The sender is not in that room.").WithDetails(&e.Details)
//	}
func wireMethod(f *jen.File, e *model.ErrorCode) {
	made := rt("Errorf").Call(jen.Lit(e.Wire), jen.Lit("%s"), jen.Lit(errorText(e)))
	if e.Retryable {
		made.Dot("WithRetry").Call(jen.True(), jen.Lit(0))
	}
	if e.Details != nil {
		made.Dot("WithDetails").Call(jen.Op("&").Id("e").Dot("Details"))
	}
	f.Add(doc("wire returns what came over the wire, or else what is sent over it."))
	f.Add(method("e", e.Go, "wire")).Params().Op("*").Add(rt("Error")).Block(
		jen.If(jen.Id("e").Dot("err").Op("!=").Nil()).Block(jen.Return(jen.Id("e").Dot("err"))),
		jen.Return(made))
	f.Line()
}

// errorTable returns the descriptors of all errors:
//
//	[]*wsrt.ErrorType{
//		{Code: "NOT_IN_ROOM", Details: &wsrt.Payload{…}, Typed: func(e *wsrt.Error) error { … }},
//	}
func errorTable(api *model.API) *jen.Statement {
	return jen.Index().Op("*").Add(rt("ErrorType")).ValuesFunc(func(g *jen.Group) {
		for _, e := range api.Errors {
			fields := []jen.Code{keyed("Code", jen.Lit(e.Wire))}
			if e.Retryable {
				fields = append(fields, keyed("Retryable", jen.True()))
			}
			if e.Details != nil {
				fields = append(fields, keyed("Details", payload(e.Details)))
			}
			fields = append(fields, keyed("Typed", typedError(e)))
			g.Line().Values(closing(fields)...)
		}
		g.Line()
	})
}

// typedError returns the function that makes the typed error of what came over the wire.
func typedError(e *model.ErrorCode) *jen.Statement {
	var body []jen.Code
	if e.Details == nil {
		body = []jen.Code{jen.Return(jen.Op("&").Id(e.Go).Values(jen.Id("err").Op(":").Id("e")))}
	} else {
		body = []jen.Code{
			jen.Id("typed").Op(":=").Op("&").Id(e.Go).Values(jen.Id("err").Op(":").Id("e")),
			jen.If(jen.List(jen.Id("details"), jen.Id("ok")).Op(":=").Id("e").Dot("Details").Call().Assert(ptr(e.GoDetails)),
				jen.Id("ok").Op("&&").Id("details").Op("!=").Nil()).
				Block(jen.Id("typed").Dot("Details").Op("=").Op("*").Id("details")),
			jen.Return(jen.Id("typed")),
		}
	}
	return jen.Func().Params(jen.Id("e").Op("*").Add(rt("Error"))).Error().Block(body...)
}

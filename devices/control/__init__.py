"""The control API: a running home over HTTP. `app` is the application, `server` puts it on a socket."""

# Varnish as a caching gateway, for comparison. `run` replaces the placeholders @...@.
vcl 4.1;

backend comfy {
    .host = "127.0.0.1";
    .port = "@UPSTREAM_PORT@";
}

sub vcl_recv {
    if (req.url != "/api/prompt") {
        return (synth(404));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    return (hash);
}

sub vcl_backend_fetch {
    set bereq.http.X-API-Key = "@KEY@";
}

sub vcl_backend_response {
    set beresp.ttl = 2s;
    set beresp.grace = 30s;
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.Cache-Status = "hit";
    } else {
        set resp.http.Cache-Status = "miss";
    }
}

package dev.comfygateway.server;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Request;

/**
 * Set of paths, with the policies that the server applies to them before the servlets.
 *
 * @param paths tests whether a path belongs to the endpoint
 * @param lane lane whose threads serve the requests
 * @param crossOrigin whether pages of allowed origins may read the responses
 * @param onRejected called with each request that is rejected because its lane has a long
 * queue or the heap limit is reached
 */
public record Endpoint(Predicate<String> paths, Lane lane, boolean crossOrigin, Consumer<Request> onRejected) {

	public Endpoint(Predicate<String> paths, Lane lane, boolean crossOrigin) {
		this(paths, lane, crossOrigin, request -> {
		});
	}

	/** Creates an endpoint of the API. */
	public static Endpoint api(String path, Lane lane) {
		return new Endpoint(path::equals, lane, true);
	}

	/** Creates an endpoint of files whose paths contain one of these parts. */
	public static Endpoint files(String... parts) {
		return new Endpoint(path -> List.of(parts).stream().anyMatch(path::contains), Lane.LARGE, false);
	}

	public Endpoint onRejected(Consumer<Request> consumer) {
		return new Endpoint(paths, lane, crossOrigin, consumer);
	}

	public boolean contains(String path) {
		return paths.test(path);
	}

}

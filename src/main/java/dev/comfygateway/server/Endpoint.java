package dev.comfygateway.server;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Request;

/**
 * Paths of a package, and what the server decides by them in front of the servlets.
 *
 * @param paths whether a path is one of them
 * @param lane threads that serve them
 * @param crossOrigin whether pages of allowed origins may read them
 * @param onRefused called with each request that gets no thread
 */
public record Endpoint(Predicate<String> paths, Lane lane, boolean crossOrigin, Consumer<Request> onRefused) {

	public Endpoint(Predicate<String> paths, Lane lane, boolean crossOrigin) {
		this(paths, lane, crossOrigin, request -> {
		});
	}

	/** Endpoint of the API. */
	public static Endpoint api(String path, Lane lane) {
		return new Endpoint(path::equals, lane, true);
	}

	/** Files whose paths have one of these parts. */
	public static Endpoint files(String... parts) {
		return new Endpoint(path -> List.of(parts).stream().anyMatch(path::contains), Lane.LARGE, false);
	}

	public Endpoint onRefused(Consumer<Request> consumer) {
		return new Endpoint(paths, lane, crossOrigin, consumer);
	}

	public boolean contains(String path) {
		return paths.test(path);
	}

}

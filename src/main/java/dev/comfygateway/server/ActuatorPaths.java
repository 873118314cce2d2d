package dev.comfygateway.server;

import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementServerProperties;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.boot.actuate.endpoint.web.WebServerNamespace;
import org.springframework.context.ApplicationContext;
import org.springframework.util.function.SingletonSupplier;

/**
 * Paths of an actuator endpoint on one port. They include additional paths, such as
 * {@code /livez} of {@code health}, and follow {@code management.*}. They are determined
 * at the first request, since a server is created before the endpoints.
 */
final class ActuatorPaths {

	private final ApplicationContext context;

	private final Set<EndpointId> endpoints;

	private final SingletonSupplier<Set<String>> paths = SingletonSupplier.of(this::determine);

	/**
	 * Creates the paths.
	 * @param context context of the port
	 * @param endpoints ids of the endpoints
	 */
	ActuatorPaths(ApplicationContext context, String... endpoints) {
		this.context = context;
		this.endpoints = Stream.of(endpoints).map(EndpointId::of).collect(Collectors.toUnmodifiableSet());
	}

	/** Returns whether a path is one of these, or below one. */
	boolean contains(String path) {
		return paths.obtain().stream().anyMatch(each -> path.equals(each) || path.startsWith(each + "/"));
	}

	private Set<String> determine() {
		PathMappedEndpoints mapped = context.getBeanProvider(PathMappedEndpoints.class).getIfAvailable();
		if (mapped == null) {
			return Set.of();
		}
		WebServerNamespace port = WebServerNamespace.from(context);
		String base = base(port);
		return endpoints.stream()
			.flatMap(id -> Stream.concat(mapped.getAdditionalPaths(port, id).stream(),
					Stream.ofNullable(base == null ? null : mapped.getPath(id)).map(path -> base + path)))
			.collect(Collectors.toUnmodifiableSet());
	}

	/** Returns the path below which the port has the actuator; null if it has none. */
	private @Nullable String base(WebServerNamespace port) {
		if (port.equals(WebServerNamespace.MANAGEMENT)) {
			return Objects.requireNonNullElse(context.getBean(ManagementServerProperties.class).getBasePath(), "");
		}
		return ManagementPortType.get(context.getEnvironment()) == ManagementPortType.SAME ? "" : null;
	}

}

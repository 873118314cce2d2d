package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.InvalidSettingException;
import dev.comfygateway.cache.Fleet;
import dev.comfygateway.cache.SingleReplica;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Choice of the fleet by {@code gateway.fleet}. A fleet through Redis has a context of
 * its own, which is made at start: the beans of the application are laid out in the
 * build, where the setting is not known. Without a fleet no class of a Redis client is
 * loaded.
 */
@Configuration(proxyBeanMethods = false)
class FleetConfiguration {

	private static final String URL = "spring.data.redis.url";

	private static final String DEFAULT_URL = "redis://localhost";

	private static final int MAX_PORT = 65_535;

	@Bean
	Fleet fleet(GatewayProperties properties, ApplicationContext application) {
		return switch (properties.fleet()) {
			case NONE -> new SingleReplica();
			case REDIS -> throughRedis(application);
		};
	}

	private static Fleet throughRedis(ApplicationContext application) {
		requireUrl(application.getEnvironment().getProperty(URL));
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.setParent(application);
		context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor());
		context.register(RedisBeans.class);
		try {
			context.refresh();
			return context.getBean(Fleet.class);
		}
		catch (BeansException failure) {
			context.close();
			if (isReported(failure)) {
				throw failure;
			}
			throw new InvalidSettingException("spring.data.redis",
					"does not describe a server, a cluster, or a master with its sentinels",
					"Check the settings spring.data.redis.*: hosts, ports, and what belongs together.");
		}
	}

	/** Whether the report of a failure to start will say more, and no secret. */
	private static boolean isReported(Throwable failure) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof InvalidSettingException || cause instanceof NoSuchSslBundleException
					|| cause instanceof BindException) {
				return true;
			}
		}
		return false;
	}

	/** Boot's own report of a wrong URL would print it, with the password. */
	private static void requireUrl(@Nullable String text) {
		try {
			URI url = new URI(text == null || text.isEmpty() ? DEFAULT_URL : text);
			if (("" + url.getScheme()).matches("rediss?") && url.getHost() != null && url.getPort() <= MAX_PORT
					&& url.getPath().matches("(/\\d*)?")) {
				return;
			}
		}
		catch (URISyntaxException ignored) {
			// told below, without the value
		}
		throw new InvalidSettingException(URL, "is not a URL of Redis",
				"Use one such as redis://redis.example:6379, or rediss://… for TLS; encode what is special in the"
						+ " password.");
	}

}

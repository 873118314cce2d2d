package dev.comfygateway.page;

import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.server.Endpoint;
import dev.comfygateway.server.Lane;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.Resource;
import org.springframework.http.CacheControl;
import org.springframework.util.DigestUtils;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** Configuration of the page: its static files, its endpoints and the history. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty(name = PageConfiguration.ENABLED, matchIfMissing = true)
class PageConfiguration implements WebMvcConfigurer {

	static final String ENABLED = "gateway.page.enabled";

	/** Maximum age of a library, whose version is part of its path. */
	private static final Duration LIBRARY_MAX_AGE = Duration.ofDays(365);

	/**
	 * Adds the static files. Browsers revalidate the page's own files by ETag each time:
	 * the names have no version, and the timestamps in the jar are the same in every
	 * build.
	 */
	@Override
	public void addResourceHandlers(ResourceHandlerRegistry registry) {
		registry.addResourceHandler("/page/**")
			.addResourceLocations("classpath:/page/assets/")
			.setCacheControl(CacheControl.noCache())
			.setUseLastModified(false)
			.setEtagGenerator(PageConfiguration::etag);
		registry.addResourceHandler("/webjars/uplot/**")
			.addResourceLocations("classpath:/META-INF/resources/webjars/uplot/")
			.setCacheControl(CacheControl.maxAge(LIBRARY_MAX_AGE).cachePublic().immutable())
			.setUseLastModified(false);
	}

	/**
	 * Returns the entity tag of a file. It is a hash of the content, and equal on every
	 * replica.
	 */
	static String etag(Resource file) {
		try (InputStream content = file.getInputStream()) {
			return '"' + DigestUtils.md5DigestAsHex(content) + '"';
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	@Bean
	Endpoint pageEndpoint() {
		return new Endpoint("/"::equals, Lane.LARGE, false);
	}

	@Bean
	Endpoint pageFilesEndpoint() {
		return Endpoint.files("/page/", "/webjars");
	}

	@Bean
	Endpoint historyEndpoint() {
		return Endpoint.api(PageController.HISTORY, Lane.LARGE);
	}

	@Bean
	HistoryRecorder historyRecorder(PromptCache cache, InstantSource clock) {
		HistoryRecorder recorder = new HistoryRecorder(clock);
		cache.onResult(recorder::record);
		return recorder;
	}

}

package dev.comfygateway.page;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.PromptCache;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.Resource;
import org.springframework.http.CacheControl;
import org.springframework.util.DigestUtils;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Files of the page, headers of the pages for people, and the switch of the page. The
 * switch is a filter, since the image fixes its beans when it is built.
 */
@Configuration(proxyBeanMethods = false)
class PageConfiguration implements WebMvcConfigurer {

	private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'%s; img-src 'self' data:;"
			+ " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

	/** Style within the picture of Swagger's logo. */
	private static final String LOGO = " 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

	/** A library's version is part of its path. */
	private static final Duration LIBRARY_MAX_AGE = Duration.ofDays(365);

	/**
	 * Adds the files. The page's own have no version in their names, and the jar's times
	 * are the same in every build: browsers ask each time, by ETag.
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

	/** Entity tag of a file: a hash of its content, so equal on every replica. */
	static String etag(Resource file) {
		try (InputStream content = file.getInputStream()) {
			return '"' + DigestUtils.md5DigestAsHex(content) + '"';
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	/** Recorder, which records nothing where nobody can read it. */
	@Bean
	HistoryRecorder historyRecorder(PromptCache cache, InstantSource clock, GatewayProperties properties) {
		HistoryRecorder recorder = new HistoryRecorder(clock);
		if (properties.page().enabled()) {
			cache.addListener(recorder::record);
		}
		return recorder;
	}

	@Bean
	FilterRegistrationBean<Filter> securityHeaders() {
		return securityHeaders("securityHeaders", POLICY.formatted(""), "", "/page/*", "/webjars/*");
	}

	@Bean
	FilterRegistrationBean<Filter> swaggerSecurityHeaders() {
		return securityHeaders("swaggerSecurityHeaders", POLICY.formatted(LOGO), "/swagger-ui/*", "/swagger-ui.html");
	}

	private static FilterRegistrationBean<Filter> securityHeaders(String name, String policy, String... paths) {
		return filter(name, (request, response, chain) -> {
			HttpServletResponse answer = (HttpServletResponse) response;
			answer.setHeader("Content-Security-Policy", policy);
			answer.setHeader("X-Content-Type-Options", "nosniff");
			answer.setHeader("Referrer-Policy", "no-referrer");
			chain.doFilter(request, response);
		}, paths);
	}

	@Bean
	FilterRegistrationBean<Filter> withoutPage(GatewayProperties properties) {
		FilterRegistrationBean<Filter> registration = filter("withoutPage", (request, response,
				chain) -> ((HttpServletResponse) response).sendError(HttpServletResponse.SC_NOT_FOUND), "", "/page/*",
				PageController.HISTORY);
		registration.setEnabled(!properties.page().enabled());
		return registration;
	}

	private static FilterRegistrationBean<Filter> filter(String name, Filter filter, String... paths) {
		FilterRegistrationBean<Filter> registration = new FilterRegistrationBean<>(filter);
		registration.setName(name);
		registration.addUrlPatterns(paths);
		return registration;
	}

	@Bean
	@Lazy
	HistoryOperation historyOperation(GatewayProperties properties) {
		return new HistoryOperation(properties);
	}

}

package dev.comfygateway.page;

import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Configuration of security headers for the page and Swagger UI. */
@Configuration(proxyBeanMethods = false)
class SecurityHeaders {

	private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'%s; img-src 'self' data:;"
			+ " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

	/** Hash of the inline style in Swagger's logo, an SVG image. */
	private static final String LOGO = " 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

	@Bean
	FilterRegistrationBean<Filter> pageHeaders() {
		return filter("pageHeaders", POLICY.formatted(""), "", "/page/*", "/webjars/*");
	}

	@Bean
	FilterRegistrationBean<Filter> swaggerHeaders() {
		return filter("swaggerHeaders", POLICY.formatted(LOGO), "/swagger-ui/*", "/swagger-ui.html");
	}

	private static FilterRegistrationBean<Filter> filter(String name, String policy, String... paths) {
		FilterRegistrationBean<Filter> registration = new FilterRegistrationBean<>((request, response, chain) -> {
			HttpServletResponse answer = (HttpServletResponse) response;
			answer.setHeader("Content-Security-Policy", policy);
			answer.setHeader("X-Content-Type-Options", "nosniff");
			answer.setHeader("Referrer-Policy", "no-referrer");
			chain.doFilter(request, response);
		});
		registration.setName(name);
		registration.addUrlPatterns(paths);
		return registration;
	}

}

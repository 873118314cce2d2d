package dev.comfygateway.openapi;

import org.jspecify.annotations.Nullable;
import org.springdoc.webmvc.ui.SwaggerIndexTransformer;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.stereotype.Component;

/**
 * Post-processor that makes springdoc's eager beans lazy. Most instances never serve the
 * document.
 */
@Component
class LazySpringdoc implements BeanFactoryPostProcessor {

	private static final String UI = "swaggerWebMvcConfigurer";

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory factory) {
		for (String name : factory.getBeanDefinitionNames()) {
			BeanDefinition definition = factory.getBeanDefinition(name);
			if (isOfSpringdoc(definition.getBeanClassName()) || isOfSpringdoc(definition.getFactoryBeanName())) {
				definition.setLazyInit(true);
			}
		}
		if (factory.containsBeanDefinition(UI)) {
			// Spring MVC creates this bean at start. Its transformer would load Jackson 2
			SwaggerIndexTransformer lazy = (request, resource, chain) -> factory.getBean(SwaggerIndexTransformer.class)
				.transform(request, resource, chain);
			factory.getBeanDefinition(UI).getConstructorArgumentValues().addGenericArgumentValue(lazy);
		}
	}

	private static boolean isOfSpringdoc(@Nullable String name) {
		return name != null && name.startsWith("org.springdoc.");
	}

}

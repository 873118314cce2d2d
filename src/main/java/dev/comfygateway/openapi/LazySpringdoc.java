package dev.comfygateway.openapi;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Post-processor that makes springdoc's eager beans lazy. Most instances never serve the
 * document.
 */
class LazySpringdoc implements BeanFactoryPostProcessor {

	private static final String DOCUMENT = "openApiResource";

	/** Bean that the document depends on without a reference to it. */
	private static final String CONVERTERS = "modelConverterRegistrar";

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory factory) {
		for (String name : factory.getBeanDefinitionNames()) {
			BeanDefinition definition = factory.getBeanDefinition(name);
			if (isOfSpringdoc(definition.getBeanClassName()) || isOfSpringdoc(definition.getFactoryBeanName())) {
				definition.setLazyInit(true);
			}
		}
		if (factory.containsBeanDefinition(DOCUMENT)) {
			factory.getBeanDefinition(DOCUMENT).setDependsOn(CONVERTERS);
		}
	}

	private static boolean isOfSpringdoc(@Nullable String name) {
		return name != null && name.startsWith("org.springdoc.");
	}

}

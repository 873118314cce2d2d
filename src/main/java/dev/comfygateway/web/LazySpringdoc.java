package dev.comfygateway.web;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Delay of springdoc's beans, which ask to be made at start, until the document is asked
 * for: most gateways run without anybody ever doing so.
 */
class LazySpringdoc implements BeanFactoryPostProcessor {

	private static final String DOCUMENT = "openApiResource";

	/** Bean that no other one refers to, though the document depends on what it does. */
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

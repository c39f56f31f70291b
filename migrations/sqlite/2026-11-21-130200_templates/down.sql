DROP TABLE configuration_templates;

// Shows an OpenAPI document and sends requests. Texts of the document are only ever put in as text.
'use strict';

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// An example of a schema: what a body may look like.
const example = (api, schema, depth = 0) => {
  if (!schema || depth > 6) return null;
  if (schema.$ref) return example(api, schema.$ref.split('/').slice(1).reduce((at, key) => at?.[key], api), depth + 1);
  const one = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0];
  if (one) return example(api, one, depth + 1);
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object' || schema.properties) {
    const wanted = Object.entries(schema.properties ?? {}).filter(([name]) => (schema.required ?? []).includes(name));
    return Object.fromEntries(wanted.map(([name, property]) => [name, example(api, property, depth + 1)]));
  }
  if (type === 'array') return [example(api, schema.items, depth + 1)];
  return { string: '', integer: 1, number: 1, boolean: false }[type] ?? null;
};

const operation = (api, path, method, described) => {
  const box = element('details', { id: described.operationId });
  box.append(element('summary', {}, element('b', {}, method.toUpperCase()), path, ' — ', described.summary ?? ''));
  const form = element('form');
  const fields = (described.parameters ?? []).map((parameter) => {
    const needed = parameter.required ? ' (required)' : '';
    const input = element('input', { name: parameter.name, required: !!parameter.required });
    const known = parameter.schema?.enum;
    if (known) input.placeholder = known.join(', ');
    form.append(element('label', {}, `${parameter.name} in ${parameter.in}${needed}: ${parameter.description ?? ''}`, input));
    return { parameter, input };
  });
  const [kind, content] = Object.entries(described.requestBody?.content ?? {}).at(-1) ?? [];
  const body = kind && element('textarea', { value: JSON.stringify(example(api, content.schema), null, 2) });
  if (body) form.append(element('label', {}, `Body, ${kind}`, body));
  const shown = element('pre', { hidden: true });
  form.append(element('button', { type: 'submit' }, 'Send'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const headers = {};
    const query = new URLSearchParams();
    let address = path;
    for (const { parameter, input } of fields) {
      if (input.value === '') continue;
      if (parameter.in === 'path') address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      if (parameter.in === 'query') query.set(parameter.name, input.value);
      if (parameter.in === 'header') headers[parameter.name] = input.value;
    }
    const authorization = document.getElementById('authorization').value;
    if (authorization) headers.authorization = authorization;
    if (body) headers['content-type'] = kind;
    shown.hidden = false;
    try {
      const url = address + (query.size ? `?${query}` : '');
      const answer = await fetch(url, { method: method.toUpperCase(), headers, body: body?.value });
      const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      shown.textContent = `${answer.status} ${answer.statusText}\n${lines}\n\n${await answer.text()}`;
    } catch (error) {
      shown.textContent = String(error);
    }
  });
  const answers = Object.entries(described.responses ?? {}).map(([status, answer]) => `${status}: ${answer.description}`);
  box.append(form, shown, element('pre', {}, answers.join('\n')));
  return box;
};

fetch('/openapi.json').then((answer) => answer.json()).then((api) => {
  document.title = `${api.info.title}: API`;
  document.getElementById('title').textContent = `${api.info.title} ${api.info.version}`;
  const list = document.getElementById('operations');
  const boxes = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operation(api, path, method, described)));
  list.append(...boxes);
  document.getElementById('find').addEventListener('input', ({ target }) => {
    for (const box of boxes) box.hidden = !box.textContent.toLowerCase().includes(target.value.toLowerCase());
  });
  document.getElementById(location.hash.slice(1))?.setAttribute('open', '');
});

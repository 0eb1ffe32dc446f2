import Handlebars from 'handlebars';

/**
 * The payload paths that a template names at its root, without those inside `each` and `with` (whose root is another)
 * and without those that the template asks about first: `{{#if a}}{{a}}{{/if}}` expects that `a` may be missing.
 */
export function payloadPaths(source: string): readonly (readonly string[])[] {
  try {
    const visitor = new PathVisitor();
    visitor.accept(Handlebars.parse(source));
    const { asked } = visitor;
    return visitor.found.filter(
      (path) => !asked.some((prefix) => prefix.every((part, at) => path[at] === part)),
    );
  } catch {
    return [];
  }
}

class PathVisitor extends Handlebars.Visitor {
  readonly found: (readonly string[])[] = [];
  readonly asked: (readonly string[])[] = [];

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    const name = (node.path as hbs.AST.PathExpression).original;
    const [param] = node.params;
    if (name === 'if' || name === 'unless') {
      if (param?.type === 'PathExpression') this.asked.push((param as hbs.AST.PathExpression).parts);
      for (const part of [param, node.program, node.inverse]) if (part != null) this.accept(part);
    } else if (param !== undefined) this.accept(param);
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    const { path, params } = node;
    if (params.length === 0) this.accept(path);
    // The second value is the default for a missing first one.
    else if ((path as hbs.AST.PathExpression).original !== 'default')
      for (const param of params) this.accept(param);
  }

  override PathExpression({ data, depth, parts, original }: hbs.AST.PathExpression): void {
    const isOwn = !data && depth === 0 && parts.length > 0 && !/^(?:this|\.)/.test(original);
    if (isOwn) this.found.push(parts);
  }
}

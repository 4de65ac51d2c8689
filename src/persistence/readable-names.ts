import { DefaultNamingStrategy, type Table } from 'typeorm';

const toSnakeCase = (text: string): string => text.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/**
 * Gives readable names for errors and query plans: columns in snake_case, constraints after their table and columns.
 */
export class ReadableNames extends DefaultNamingStrategy {
  override columnName(property: string, custom: string | undefined, prefixes: string[]): string {
    return custom ?? toSnakeCase([...prefixes, property].join('_'));
  }

  override primaryKeyName(table: Table | string): string {
    return `pk_${this.getTableName(table)}`;
  }

  override foreignKeyName(table: Table | string, columns: string[]): string {
    return `fk_${this.getTableName(table)}_${columns.join('_')}`;
  }

  override uniqueConstraintName(table: Table | string, columns: string[]): string {
    return `uq_${this.getTableName(table)}_${columns.join('_')}`;
  }

  override indexName(table: Table | string, columns: string[]): string {
    return `ix_${this.getTableName(table)}_${columns.join('_')}`;
  }
}
